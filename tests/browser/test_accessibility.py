"""What a screen reader and weak eyes need, on every page and in the dialogues, in both themes."""

import pytest
from playwright.sync_api import Page, expect

PATHS = [
    "/",
    "/automations",
    "/runs",
    "/dead-letters",
    "/events",
    "/entities",
    "/segments",
    "/settings/event-types",
    "/settings/webhooks",
    "/settings/keys",
    "/settings/tenant",
    "/settings/audit",
]

NAMELESS = """() => {
  const seen = (one) =>
    one.checkVisibility({ visibilityProperty: true }) && !one.closest("[aria-hidden=true], [data-radix-focus-guard]");
  const text = (id) => document.getElementById(id)?.textContent?.trim() ?? "";
  const named = (one) =>
    one.getAttribute("aria-label")?.trim() ||
    (one.getAttribute("aria-labelledby") ?? "").split(/\\s+/).some(text) ||
    [...(one.labels ?? [])].some((label) => label.textContent.trim()) ||
    (["BUTTON", "A", "SUMMARY"].includes(one.tagName) || one.matches("[role=tab],[role=menuitem],[role=option]")
      ? one.textContent.trim() || one.querySelector("[aria-label], img[alt]")
      : "");
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=dialog], [role=switch]," +
    "[role=tab], [role=menuitem], [role=combobox], [role=slider], table, [tabindex='0']";
  const found = [...document.querySelectorAll(controls)].filter((one) => seen(one) && !named(one));
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return [
    ...found.map((one) => "no name: " + one.outerHTML.slice(0, 160)),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => "id twice: " + id),
    ...[...document.querySelectorAll("[aria-describedby]")].flatMap((one) =>
      one.getAttribute("aria-describedby").split(/\\s+/).filter((id) => !document.getElementById(id))
        .map((id) => "describes nothing: " + id)),
    ...(document.documentElement.lang ? [] : ["no language"]),
    ...(document.title ? [] : ["no title"]),
  ];
}"""

FAINT = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((one, at) => one * a + under[at] * (1 - a));
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (color) => {
    const [r, g, b] = color.map((one) => one / 255).map((one) =>
      one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Map();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const one = node.parentElement;
    const seen = node.data.trim() && one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    // What is off, or only repeats what a neighbour says, may be faint.
    if (!seen || one.closest(":disabled, [aria-disabled=true], [aria-hidden=true], .sr-only, title, style")) continue;
    const style = getComputedStyle(one);
    const under = ground(one);
    const [high, low] = [light(over(rgba(style.color), under)), light(under)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < needed) found.set(one.className, `${ratio.toFixed(2)} “${node.data.trim().slice(0, 40)}” ${one.className}`);
  }
  return [...found.values()];
}"""


THEMED = "(dark) => document.documentElement.classList.toggle('dark', dark)"
PLANTED = """() => {
  document.body.insertAdjacentHTML("beforeend", "<button></button><p class=planted>Faint</p>");
  document.querySelector(".planted").style.color = "var(--ground)";
}"""
DIALOGUES = [
    ("/automations", "Import"),
    ("/events", "Emit event"),
    ("/segments", "New segment"),
    ("/settings/event-types", "New event type"),
    ("/settings/webhooks", "New webhook"),
    ("/settings/keys", "New key"),
]


def looked_at(page: Page) -> list[str]:
    """What is wrong with what is shown, once it is all there, in both themes."""
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    wrong: list[str] = page.evaluate(NAMELESS)
    for is_dark in (False, True):
        page.evaluate(THEMED, is_dark)
        wrong = wrong + page.evaluate(FAINT)
    return [f"{page.url}: {one}" for one in wrong]


@pytest.mark.parametrize("path", PATHS)
def test_on_a_page_every_control_has_a_name_and_every_text_can_be_read(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("h1").first).to_be_visible()
    assert looked_at(page) == []


@pytest.mark.parametrize(("path", "opens"), DIALOGUES)
def test_in_a_dialogue_every_control_has_a_name_and_every_text_can_be_read(page: Page, path: str, opens: str) -> None:
    page.goto(path)
    opener = page.get_by_role("button", name=opens, exact=True).first
    opener.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert looked_at(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_in_a_run_every_control_has_a_name_and_every_text_can_be_read(page: Page) -> None:
    page.goto("/runs")
    page.get_by_role("table").get_by_role("link").first.press("Enter")
    expect(page.get_by_role("tablist").first).to_be_visible()
    assert looked_at(page) == []


def test_in_the_editor_every_control_has_a_name_and_every_text_can_be_read(page: Page) -> None:
    page.goto("/automations")
    page.get_by_role("link", name="Appointment reminder").press("Enter")
    editor = page.get_by_role("dialog", name="Edit Appointment reminder")
    expect(editor.get_by_role("button", name="Nothing ends it early")).to_be_visible()
    rows = editor.locator("[data-outline] button:not([aria-haspopup])").all()
    assert len(rows) > 6
    for row in rows:
        row.press("Enter")
        assert looked_at(page) == []
        page.keyboard.press("Escape")


def test_what_is_looked_for_is_found(page: Page) -> None:
    page.goto("/automations")
    expect(page.locator("h1").first).to_be_visible()
    assert looked_at(page) == []
    page.evaluate(PLANTED)
    assert len(looked_at(page)) == 3
