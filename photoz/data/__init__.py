"""Numbers shipped with the package; each file says where its numbers come from."""
