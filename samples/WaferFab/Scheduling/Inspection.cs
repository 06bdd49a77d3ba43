using Samples.WaferFab.Planning;
using Samples.WaferFab.Tools;

namespace Samples.WaferFab.Scheduling;

/// <summary>
/// Checks at the end the steps of all wafers, by the scheduler's records and by the tools' own journals.
/// </summary>
internal static class Inspection
{
    public static IReadOnlyList<string> Inspect(
        IReadOnlyList<Wafer> wafers, IReadOnlyDictionary<string, string> journals)
    {
        var problems = new List<string>();
        foreach (var wafer in wafers)
        {
            if (!wafer.History.SequenceEqual(Route.Steps.Select(step => step.Number)))
            {
                problems.Add($"wafer {wafer.Number} was reported as {Describe(wafer.History)}.");
            }
        }

        foreach (var (tool, path) in journals)
        {
            Compare(tool, StepJournal.Read(path), wafers.Count, problems);
        }

        return problems;
    }

    private static void Compare(
        string tool, IReadOnlyList<(int Wafer, int Step)> entries, int wafers, List<string> problems)
    {
        var due = Route.Steps.Where(step => step.Tool == tool).Select(step => step.Number).ToArray();
        var done = entries.ToLookup(entry => entry.Wafer, entry => entry.Step);
        for (var wafer = 1; wafer <= wafers; wafer++)
        {
            if (!done[wafer].SequenceEqual(due))
            {
                problems.Add($"{tool} did {Describe(done[wafer])} with wafer {wafer}, due were {Describe(due)}.");
            }
        }
    }

    private static string Describe(IEnumerable<int> steps) => "[" + string.Join(", ", steps) + "]";
}
