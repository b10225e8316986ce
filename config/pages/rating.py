"""好差评: the page behind the printed link, which anybody who holds it may open, and the answers for those they concern."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.pages.frame import Fault, page
from config.pages.keyset import newest_first
from ingest.services.rating import LONGEST, find_ask, rate, ratings_of
from registry.actors import Actor
from registry.callers import caller_address
from registry.masking import mask_numbers_in
from registry.rules.satisfaction import Concern, Grade, is_bad
from storage.errors import Refused

PAGE_SIZE = 40
STATUS = {"rating_unknown": 404, "rating_over": 410, "too-often": 429}


def rating(request: HttpRequest, token: str) -> HttpResponse:
    """Five grades and a few words, once. Nobody is asked who they are."""
    caller, now = caller_address(request), timezone.now()
    context: dict[str, object] = {"grades": list(Grade), "concerns": list(Concern), "longest": LONGEST}
    status = 200
    try:
        if request.method == "POST":
            given = rate(
                token=token,
                grade=request.POST.get("grade", ""),
                concern=request.POST.get("concern", ""),
                words=request.POST.get("words", ""),
                caller=caller,
                now=now,
            )
            context["thanks"], context["bad"] = Grade(given.grade).label, is_bad(given.grade)
        else:
            context["asked"] = find_ask(token=token, caller=caller, now=now)
    except Refused as refused:
        context["fault"] = Fault.of(refused, "rating")
        context["typed_words"] = request.POST.get("words", "")[: LONGEST * 2]
        context["again"] = refused.code in ("rating_grade", "rating_words")
        status = STATUS.get(refused.code, 409)
    response = render(request, "rating.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@page("rating.see")
def ratings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The answers in reach, newest first; words are masked, and the case is named by its item alone."""
    rows = ratings_of(actor=actor, bad_only=bool(request.GET.get("bad")))
    part = newest_first(rows, after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "rows": [
            (
                row,
                Grade(row.grade).label,
                is_bad(row.grade),
                Concern(row.concern).label,
                mask_numbers_in(row.words),
            )
            for row in part.rows
        ],
        "next": part.next,
    }
    return render(request, "work/ratings.html", context)
