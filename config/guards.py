"""Which rule stands before which act, in which modes, and which notice or decision says so: drawn in docs/guards.md and walked.

What a state permits are tables of their own (docs/states.md), and so is who may do it (docs/permissions.md). What refuses an act
that both allow stands here, by the code of its refusal; the rules themselves are functions beside what they guard.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.terms import Mode

ACCEPT, FORWARD, JOINT, ONLINE = Mode.WINDOW_ACCEPT, Mode.WINDOW_FORWARD, Mode.JOINT, Mode.ONLINE
COUNTER = (ACCEPT, FORWARD, JOINT)


@dataclass(frozen=True)
class Guard:
    """What must hold (`says`) before these acts; in every mode when none is named. A source is a notice or a decision."""

    acts: str
    says: str
    source: str
    modes: tuple[Mode, ...] = ()


GUARDS: Mapping[str, Guard] = {
    # Taking in
    "window_closed": Guard("create submit", "the window is open", "putian §五(四)"),
    "item_not_yet": Guard("create submit", "the item's first day has come", "putian §五(三)"),
    "item_expired": Guard("create submit", "the item's last day has not passed", "putian §五(三)"),
    "item_negative": Guard("create submit", "the item is not on the negative list", "taizhou-2021 §二(一)"),
    "not_responsible": Guard("create submit", "the office decides this item", "zaozhuang §二(五)"),
    "scope": Guard("create submit", "the item's scope covers window and office", "zhuji §二(一)-(三)"),
    "no_agreement": Guard("create submit", "across provinces an agreement is in force", "zhuji §二(四)"),
    "mode": Guard("create submit", "the item may be done in this way", "putian §四"),
    "no_grant_accept": Guard("create submit accept", "the office entrusted 异地收件受理权", "putian §五(六)"),
    "no_grant_notify": Guard("notify tell_shortfall", "the office entrusted 一次性告知权", "putian §五(六)"),
    "no_grant_verify_original": Guard("verify_original", "the office entrusted 原件核验权", "putian §五(六)"),
    "no_grant_deliver": Guard("hand_out", "the office entrusted 审批结果送达权", "putian §五(六)"),
    "identity_open": Guard(
        "submit accept", "somebody looked at who brought the paper", "zhuji §四(二), 0130", COUNTER
    ),
    "points_open": Guard("accept", "every review point is answered", "putian §四(二)", (ACCEPT,)),
    "points_against": Guard("accept", "no answer speaks against it", "putian §四(二)", (ACCEPT,)),
    "case_not_open": Guard("upload", "papers are gathered or asked for", "putian §四"),
    "answers_state": Guard("answer", "the case is not accepted yet", "0051"),
    "identity_state": Guard("identify", "the case is not accepted yet", "0058"),
    "original_state": Guard("take_in verify_original", "papers are gathered or asked for", "putian §四"),
    "original_from_applicant": Guard("take_in", "the applicant does not send this paper", "0128", (ONLINE,)),
    "shortfall_state": Guard("tell_shortfall", "the case is a draft", "0131"),
    # Telling, promising, choosing
    "noticed_once": Guard("supplement notify", "nobody was told before: 一次性告知", "putian §五(六), 0054"),
    "notify_accepted": Guard("notify", "the promised time does not run yet", "0054"),
    "promise_state": Guard("promise keep_promise", "papers are gathered, or the case runs", "0055"),
    "promise_none": Guard("keep_promise", "a promise is open", "0055"),
    "promise_lapsed": Guard("decide", "no required promise has lapsed", "0055"),
    "choices_settled": Guard("choose", "the result is not on its way yet", "taizhou-2021 §三(二), 0059"),
    "result_packed": Guard("choose", "no result lies in a parcel", "0133"),
    "consent_used": Guard("choose", "the window has not acted on the consent", "0059"),
    # Paper that an online applicant sends
    "papers_awaited": Guard("decide", "required paper of the applicant is here", "0129", (ONLINE,)),
    "papers_none": Guard(
        "announce receive_papers", "the applicant has paper that never came", "0128", (ONLINE,)
    ),
    "papers_seen": Guard(
        "announce call_off", "no courier and no office has seen the envelope", "0128", (ONLINE,)
    ),
    "item_not_applicants": Guard(
        "find_missing", "only an applicant's envelope can lack what stayed with them", "0128"
    ),
    # Results
    "result_undecided": Guard("attach", "the office has decided", "0133"),
    "result_over": Guard("attach void", "the case is not over", "0133"),
    "result_fetched": Guard("void", "nobody has fetched the file", "0133"),
    "result_held": Guard(
        "fetch", "every office has decided, and the file stands", "taizhou-2021 §三(三), 0133"
    ),
    "result_file_missing": Guard("deliver close", "who wants a file can fetch one", "0133"),
    "originals_abroad": Guard(
        "close", "no paper is on its way, at the window, or a result still unsent", "0103"
    ),
    "originals_lost": Guard("close", "no paper is lost and not written off", "0106"),
    # Parcels
    "parcel_ends": Guard("pack", "a parcel of this kind goes from the one to the other", "putian §五(七)"),
    "parcel_too_early": Guard(
        "bag send", "the mode lets paper leave the window", "putian §四(二)(三)", COUNTER
    ),
    "parcel_not_joint": Guard(
        "bag send", "originals travel between offices in a joint case only", "putian §四(四)"
    ),
    "parcel_results_held": Guard("bag send", "every office has decided", "taizhou-2021 §三(三)", (JOINT,)),
    "parcel_joint_result": Guard(
        "bag send", "the lead office sends what all decided", "taizhou-2021 §三(三)", (JOINT,)
    ),
    "parcel_not_lead": Guard(
        "bag send", "the lead office sends what all decided", "taizhou-2021 §三(三)", (JOINT,)
    ),
    "parcel_results_apart": Guard(
        "send", "every paper result lies together", "taizhou-2021 §三(三)", (JOINT,)
    ),
    "parcel_undecided": Guard("bag send", "the office has decided", "putian §四"),
    "parcel_still_needed": Guard(
        "bag send", "the office has decided before an original goes home", "putian §四"
    ),
    "parcel_not_as_chosen": Guard(
        "bag send", "a result goes where its applicant wants it", "taizhou-2021 §三(二), 0133"
    ),
    "parcel_wrong_receiver": Guard("bag send", "what lies in the bag belongs where it goes", "0057"),
    "parcel_leg": Guard("bag", "results and materials go in parcels of their own kind", "putian §五(七)"),
    "parcel_empty": Guard("send", "something lies in the bag", "0066"),
    "parcel_not_listed": Guard("unbag arrive", "the paper is on the packing list", "0066"),
    "original_elsewhere": Guard("bag", "the paper is in the sender's hands", "0057"),
    "original_packed": Guard("bag hand_out archive report_missing", "the paper lies in no bag", "0057"),
    "original_needed_next": Guard(
        "bag send archive", "no other office needs the paper", "putian §四(四)", (JOINT,)
    ),
    "original_next_stop": Guard("bag send", "the next office in turn gets it", "putian §四(四)", (JOINT,)),
    "original_not_here": Guard(
        "hand_out archive report_missing", "the paper is in one's own hands, or archive", "0057, 0136"
    ),
    "original_is_result": Guard("archive", "a result goes to its applicant", "0136"),
    "arrival_weight": Guard(
        "arrive", "what the receiving centre pays for is weighed", "putian §五(七), 0129"
    ),
    "scan_before_seal": Guard("hand_over", "a scan kept offline belongs to this seal", "0068"),
    "scan_nothing_here": Guard("bag", "the scanned paper is here and in no other bag", "0066"),
    # Waybills and lists
    "waybill_under_way": Guard("book register", "no order is with a courier at this moment", "0061"),
    "waybill_taken": Guard("register announce", "no other parcel has the number", "0061"),
    "waybill_state": Guard("cancel", "the waybill is ordered", "0061"),
    "waybill_in_use": Guard("cancel", "the parcel was not handed over", "0061"),
    "parcel_has_waybill": Guard("unseal book register", "the parcel has no waybill", "0061"),
    "parcel_no_waybill": Guard("label list hand_over", "the parcel has a waybill", "0061"),
    "parcel_not_sealed": Guard("book list", "the parcel is sealed and weighed", "0061"),
    "parcel_not_delivered": Guard("confirm_delivery", "the courier reported the delivery", "0057"),
    "parcel_on_list": Guard("hand_over unseal list", "the parcel stands on no list", "0070"),
    "handover_closed": Guard("list unlist sign", "the list is open", "0070"),
    "handover_empty": Guard("print sign", "something stands on the list", "0070"),
    "handover_not_printed": Guard("sign", "what is signed on paper is what was printed", "0070"),
    "handover_changed": Guard("sign", "what is signed on the screen is what was shown", "0070"),
    "handover_outdated": Guard("sign", "no listed parcel changed meanwhile", "0070"),
    "handover_other_carrier": Guard("list", "the list's carrier takes the parcel", "0070"),
    "handover_unsigned": Guard("correct", "the list is signed", "0070"),
    # Losses
    "item_not_missing": Guard("find_missing", "the paper was missing at a receipt", "0106"),
    "incident_of_original": Guard("resolve", "the paper was found or written off first", "0136"),
    "original_not_missing": Guard("declare_lost", "the paper is known to be missing", "0106, 0136"),
    "original_not_gone": Guard("find_lost", "the paper is looked for or written off", "0136"),
    "loss_no_incident": Guard("declare_lost", "an incident stands", "0106"),
    "loss_standing": Guard("declare_lost", "nobody declared it before", "0106"),
    "loss_too_early": Guard("declare_lost", "the incident's day has passed", "0106"),
    "loss_same_person": Guard("confirm_loss", "two persons write off", "0106"),
}
"""Code of a refusal → what it guards."""

FORMS = frozenset(
    {
        "collector_missing", "parcel_weight", "refused_before", "result_many", "scan_time", "signature_missing",
        "signature_unreadable", "stale", "waybill_check_digit", "waybill_number",
    }
)  # fmt: skip
"""Codes of what was filled in wrongly, or done by somebody else a moment before: no rule of the trade."""
