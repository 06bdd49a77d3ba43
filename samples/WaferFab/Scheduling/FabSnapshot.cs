namespace Samples.WaferFab.Scheduling;

/// <summary>The fab at one moment.</summary>
internal sealed record FabSnapshot(IReadOnlyList<ToolSnapshot> Tools, int Wafers, int WafersFinished, long Events)
{
    public int StepsDone => Tools.Sum(tool => tool.StepsDone);

    public bool IsFinished => WafersFinished == Wafers;

    public ToolSnapshot Tool(string id) => Tools.First(tool => tool.Id == id);
}
