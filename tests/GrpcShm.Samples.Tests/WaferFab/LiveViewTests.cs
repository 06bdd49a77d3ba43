using Samples.WaferFab.Planning;
using Samples.WaferFab.Scheduling;
using Samples.WaferFab.View;
using Spectre.Console;

namespace GrpcShm.Samples.Tests.WaferFab;

public class LiveViewTests
{
    private const int Columns = 80;

    [Fact]
    public void Draw_LongestTexts_FitIntoEightyColumns()
    {
        var longest = Route.Steps.MaxBy(step => step.Name.Length)!;
        var tools = Route.Tools.Select(id => new ToolSnapshot(
            id, 1_234_567, IsReady: true, Lives: 1, Wafer: 25, longest.Number, Tick: 2, 9, Events: 9_999, 9));
        var states = Route.Tools.ToDictionary(id => id, _ => "working");
        var picture = new FabPicture(
            TimeSpan.Zero, new FabSnapshot([.. tools], Wafers: 25, WafersFinished: 3, Events: 9), states, 1_234);
        var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = Columns;

        console.Write(new LiveView().Draw(picture));

        var lines = output.ToString().Split('\n');
        Assert.All(lines, line => Assert.InRange(line.Length, 0, Columns));
        Assert.Equal(
            Route.Tools.Count, lines.Count(line => line.Contains($"25: {longest.Name} ", StringComparison.Ordinal)));
        Assert.All(
            Route.Tools, tool => Assert.Contains(lines, line => line.Contains(tool, StringComparison.Ordinal)
                && line.Contains("9,999", StringComparison.Ordinal)));
    }
}
