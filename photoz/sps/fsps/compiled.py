"""Print what python-fsps was compiled with, as JSON. Run as a file: it needs nothing of ours."""

import json


def main() -> None:
    """Import the package, which may end the process, and print its sizes and libraries."""
    from fsps._fsps import driver

    isochrones, library, dust = (name.decode().strip() for name in driver.get_libraries())
    print(
        json.dumps(
            {
                "isochrones": isochrones,
                "library": library,
                "dust": dust,
                "n_metallicities": int(driver.get_nz()),
                "n_wavelengths": int(driver.get_nspec()),
                "n_lines": int(driver.get_nemline()),
                "n_filters": int(driver.get_nbands()),
            }
        )
    )


if __name__ == "__main__":
    main()
