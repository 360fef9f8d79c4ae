"""The pages of a class in a real browser: from a file, without a network, on a phone, by keyboard, on paper.

Headless Chromium, as Debian packages it, driven by Playwright.
"""

import csv
import io
import re
from dataclasses import replace

import pytest
from helpers import PHONE
from ways import report_of

from autograder.export import charts
from autograder.export import classroom as export
from autograder.report import (
    Attempt,
    Bars,
    CheckResult,
    ClassReport,
    Curve,
    Failure,
    Images,
    Standing,
)

HOSTILE = "</title><script>document.title='gone'</script><img src=http://127.0.0.1:9/x>"
POINTS = tuple((step, min(0.97, 0.1 + step / 300)) for step in range(0, 1000, 100))
CURVE = Curve("How it rose", "words told right, over steps", POINTS)
PATCHES = tuple(tuple((i * j % 7 - 3) / 10 for j in range(9)) for i in range(32))
IMAGES = Images("What it saw", "its patches", PATCHES, comparable=True)
BARS = Bars(
    "How loud",
    "loudness, in powers of ten",
    {"first": (0.0, 9.9), "b": (63.0, 63.0), "a name that is far too long": (1e-9, 240.0)},
)
FIGURES = (CURVE, IMAGES, BARS)
MODULES = {"linear": 20, "tower": 20}


def attempt(number, score, **more):
    failed = (
        [] if score > 30 else [Failure("linear.forward", "The output equals nn.Linear's.", HOSTILE)]
    )
    modules = {"linear": (score / 2, 20.0), "tower": (score / 2, 20.0)}
    return Attempt(
        *(number, "a" * 64, score, 40.0, modules, tuple(failed), "2026-11-27", "1" * 64, 7),
        measured={"Words told": score / 41},
        curves=(CURVE,),
        **more,
    )


@pytest.fixture(scope="module")
def whole():
    names = [*(f"student {i:02}" for i in range(12)), HOSTILE, "李雷", "x" * 120]
    standings = [
        Standing(name, f"page-{i}.html", (attempt(i, 40.0 * i / 14),))
        for i, name in enumerate(names)
    ]
    late = replace(attempt(1, 12.0), handed_in_at="2026-11-28T10:00", late_days=1)
    standings[1] = replace(
        standings[1],
        attempts=(late, attempt(2, 22.0)),
        remark="Look at this.",
        twins=("student 02",),
    )
    standings.append(Standing("nobody", remark="It holds none of the modules."))
    return ClassReport(
        "A course", MODULES, tuple(standings), "quick", "cpu", "1" * 64, "last", report()
    )


def report():
    check = CheckResult("tower.forward", "The logits.", "failed", 0.0, 4.0, f"Found: {HOSTILE}")
    return replace(report_of("tower", check), figures=FIGURES)


@pytest.fixture(scope="module")
def site(whole, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(export.class_page(whole), encoding="utf-8")
    for name, page_of in (("students", export.student_page), ("review", export.review_page)):
        (folder / name).mkdir()
        for standing in whole.standings:
            if standing.page:
                page = page_of(standing, report(), whole)
                (folder / name / standing.page).write_text(page, encoding="utf-8")
    return folder


@pytest.fixture
def page(browser):
    """A page that notes what it asks for and what it complains of."""
    opened = browser.new_page()
    opened.asked, opened.complaints = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda message: opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    opened.close()


def url(site, name="index.html"):
    return (site / name).as_uri()


@pytest.mark.parametrize("name", ["index.html", "review/page-1.html", "students/page-12.html"])
def test_a_page_opens_from_a_file_and_asks_for_nothing_else(site, page, name):
    page.goto(url(site, name))
    assert page.asked == [url(site, name)]
    assert page.complaints == []
    assert page.title() != "gone"
    assert page.locator("script, img, iframe").count() == 0


@pytest.mark.parametrize("name", ["index.html", "review/page-1.html", "students/page-14.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(site, page, name, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    page.goto(url(site, name))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    sizes = page.eval_on_selector_all(
        "p, li, dd, td", "all => all.map(e => getComputedStyle(e).fontSize)"
    )
    assert min(float(size.removesuffix("px")) for size in sizes) >= 12


def test_all_that_can_be_pressed_is_reached_by_keyboard_in_order(site, page):
    page.goto(url(site))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    wanted = page.locator("main a, main summary, main [tabindex='0']").count()
    reached, tops = set(), []
    for _ in range(wanted + 3):
        page.keyboard.press("Tab")
        top = page.evaluate(
            "(() => { const e = document.activeElement;"
            " return e === document.body ? null : [e.tagName, e.textContent.slice(0, 40),"
            " e.getBoundingClientRect().top + scrollY] })()"
        )
        if top:
            reached.add((top[0], top[1]))
            tops.append(top[2])
    assert {tag for tag, _ in reached} == {"A", "SUMMARY", "DIV"}
    details = page.locator("#checks details").first
    assert details.get_attribute("open") is None
    page.locator("#checks summary").first.focus()
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    assert details.locator("a").first.is_visible()


def test_links_lead_to_a_student_and_back(site, page):
    page.goto(url(site))
    page.locator("#students").get_by_role("link", name="student 03").click()
    assert page.locator("h1").inner_text() == report().submission
    page.locator("header a").first.click()
    assert page.url == url(site)


def test_figures_say_what_they_show(site, page):
    """Every picture has a name for those who do not see it, and its marks have titles."""
    for name in ("index.html", "students/page-1.html"):
        page.goto(url(site, name))
        for picture in page.locator("svg").all():
            assert picture.get_attribute("role") == "img"
            assert len(picture.get_attribute("aria-label")) > 20
    page.goto(url(site))
    assert page.locator("#curves-1 h2").inner_text() == "How it rose"
    assert page.locator("#curves-1 polyline").count() == 16
    assert page.locator("#scores rect").count() == 10
    page.goto(url(site, "students/page-1.html"))
    assert page.locator("#figures h3").all_inner_texts() == [f.title for f in FIGURES]
    assert page.locator("#figures rect.pixel").count() == 2 * 288
    figures = page.locator("#figures").inner_html()
    assert "first: 0; the reference 9.9" in figures
    assert "a name that is far too …" in figures
    assert all(figure.caption in figures for figure in FIGURES)


@pytest.mark.parametrize(
    ("images", "seed", "sets"),
    [(IMAGES, 7, 2), (IMAGES, 8, 1), (Images(IMAGES.title, "", PATCHES), 7, 1)],
    ids=["same seed", "another seed", "never alike"],
)
def test_the_references_images_stand_beside_those_they_may_be_compared_with(
    whole, images, seed, sets
):
    own = replace(report(), figures=(images,), seed=seed)
    text = export.student_page(whole.standings[0], own, whole)
    assert text.count('class="pixel ') == sets * 288


def test_a_course_without_figures_and_measures_shows_none(whole):
    bare = [replace(attempt(1, 12.0), measured={}, curves=())]
    standing = Standing("ada", "ada.html", tuple(bare))
    other = replace(
        whole, title="Two bricks", standings=(standing, Standing("bob")), reference=None
    )
    page = export.class_page(other)
    assert "curves-1" not in page
    heading = export.as_csv(other).split("\n")[0]
    assert heading.endswith("handed_in_at,late_days,submission_digest,remark")
    assert 'id="figures"' not in export.student_page(standing, report_of("linear"), other)


FORMULAS = ["=1+1", "ada;=1+1", "ada; -1", "\t=1", "\r@x", "  +1", "ada|=1", "＝1"]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_is_a_formula_whatever_parts_the_cells(whole, name):
    """Where a comma is the decimal sign, a spreadsheet takes cells to end at semicolons."""
    table = export.as_csv(replace(whole, standings=(Standing(name, remark=f"It is {name}"),)))
    for cell in re.split('[,;\t\r\n|"]', table):
        assert not cell.lstrip(" ").startswith(tuple("=+-@＝"))


def test_a_name_that_is_no_formula_stays_as_it_is(whole):
    table = export.as_csv(replace(whole, standings=(Standing("Ng-Lee; Bob + Eve"),)))
    assert "\nNg-Lee; Bob + Eve," in table


def test_what_was_measured_has_a_column_of_its_name(whole):
    heading, *rows = csv.reader(io.StringIO(export.as_csv(whole)))
    assert {len(row) for row in rows} == {len(heading)}
    assert rows[14][heading.index("Words told")] == f"{40 / 41:.4f}"
    assert "Words told</th>" in export.class_page(whole)


def test_pages_are_titled_by_the_course(whole):
    assert "A course</h1>" in export.class_page(whole)
    page = export.review_page(whole.standings[0], report(), whole)
    assert '<a href="../index.html">A course</a>' in page
    assert "A course · student" in export.student_page(whole.standings[0], report(), whole)


def test_what_needs_a_look_is_said_first(site, page):
    page.goto(url(site))
    text = page.locator("#attention").inner_text()
    assert "Look at this." in text
    assert "It holds none of the modules." in text
    page.goto(url(site, "review/page-1.html"))
    attempts = page.locator("#attempts").inner_text()
    assert "student 02" in attempts
    assert "attempt 2 · counts" in attempts


def test_paper_shows_all_that_is_folded(site, page):
    page.goto(url(site))
    page.emulate_media(media="print")
    hidden = page.locator("#checks .causes").first
    assert hidden.bounding_box()["height"] > 10
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert page.locator(".skip").is_hidden()


def test_an_empty_class_has_a_page(whole):
    text = export.class_page(replace(whole, standings=(), reference=None))
    assert "0</b> of 0 graded" in text


# Figures


@pytest.mark.parametrize("shares", [[], [0.0], [100.0], [99.99, 100.0, 0.0, 9.99, 10.0, 55.5]])
def test_a_histogram_counts_each_score_once(shares):
    bars = charts.score_histogram(shares)
    assert sum(bar.count for bar in bars) == len(shares)
    assert all(0 <= bar.height <= charts.HEIGHT for bar in bars)
    assert all(bar.says.startswith(f"{bar.count} from ") for bar in bars)


def test_full_marks_are_in_the_last_tenth():
    assert [bar.count for bar in charts.score_histogram([90.0, 100.0])][-1] == 2


@pytest.mark.parametrize(
    "bars", [{"a": (1e-300, 1e300)}, {"a": (5.0, 5.0)}, {"a" * 500: (0.0, 1.0), "b": (2.0, 0.0)}]
)
def test_bars_stay_within_the_picture(bars):
    plot = charts.rows(bars)
    assert 0 < plot.label < 200
    for row in plot.rows:
        assert 0 <= row.own <= 100
        assert 0 <= row.reference <= 100


@pytest.mark.parametrize("bars", [{}, {"a": (0.0, 0.0)}])
def test_no_bars_are_no_picture(bars):
    assert charts.rows(bars) is None


def test_a_number_ten_times_smaller_has_a_shorter_bar():
    (row,) = charts.rows({"a": (1.0, 10.0)}).rows
    assert 0 < row.own < row.reference == 100


def test_images_of_any_number_are_plotted():
    assert charts.tiles([]).pixels == []
    plot = charts.tiles([[0.0] * 9] * 3)
    assert len(plot.pixels) == 27
    assert all(0 <= float(pixel.strength) <= 1 for pixel in plot.pixels)
