"""Prints the routes of template.yaml, one per line: `GET /webhooks/health`."""

from check_openapi import routes_of_template

if __name__ == "__main__":
    for method, path in sorted(routes_of_template()):
        print(method.upper(), path)
