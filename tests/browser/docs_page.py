"""What people do on ``/api/docs``."""

from playwright.sync_api import Locator, Page, expect

from .conftest import Watched


def opened_page(watched: Watched) -> Page:
    """The page, with its operations; its script has begun by then."""
    page = watched.open("/api/docs")
    page.locator(".opblock").first.wait_for()
    return page


def unfold(page: Page, operation: str) -> Locator:
    """An operation, opened."""
    block = page.locator(f"#operations-{operation}")
    if not block.locator(".opblock-body").is_visible():
        block.locator(".opblock-summary-control").click()
    block.locator(".execute").wait_for()
    return block


def execute(page: Page, operation: str, status: int, **path: object) -> Locator:
    """Send an operation's own example; what came back."""
    block = unfold(page, operation)
    for name, value in path.items():
        block.locator(f"tr[data-param-name={name}] input").fill(str(value))
    return send(block, status)


def send(block: Locator, status: int) -> Locator:
    """Send what an opened operation holds; what came back."""
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response")
    answer.locator(".response-col_status", has_text=str(status)).wait_for()
    return answer


def log_in(page: Page, login: str, password: str) -> None:
    """By the button at the top."""
    page.locator("#open").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Login").fill(login)
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_role("button", name="Log in").click()


def says(page: Page, text: str) -> None:
    """Wait for what the page says of its tokens."""
    expect(page.locator("#state")).to_have_text(text)
