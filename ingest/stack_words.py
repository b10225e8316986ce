"""What became of a scanned stack, in one sentence for whoever scanned it."""

from ingest.models import SourceFile, Stack, StackPage


def words_of(stack: Stack) -> str:
    """One sentence on what became of a stack."""
    if stack.verdict == SourceFile.Verdict.REFUSED:
        return f"拒收：{stack.reason}"
    fates = list(stack.pages.values_list("fate", "page__case_id"))
    counts = {fate: sum(one == fate for one, _ in fates) for fate in StackPage.Fate.values}
    cases = len({case for fate, case in fates if fate == StackPage.Fate.PLACED})
    said = [f"共 {len(fates)} 页"]
    if counts[StackPage.Fate.SEPARATOR]:
        said.append(f"分隔页 {counts[StackPage.Fate.SEPARATOR]} 张")
    if cases:
        said.append(f"{counts[StackPage.Fate.PLACED]} 页已归入 {cases} 个办件")
    if counts[StackPage.Fate.WAITING]:
        said.append(f"{counts[StackPage.Fate.WAITING]} 页未归类")
    if counts[StackPage.Fate.ASIDE]:
        said.append(f"{counts[StackPage.Fate.ASIDE]} 页搁置")
    return "，".join(said) + "。"
