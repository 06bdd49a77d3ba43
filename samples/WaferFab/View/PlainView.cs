using System.Globalization;
using Samples.WaferFab.Planning;

namespace Samples.WaferFab.View;

/// <summary>One line after the other, for files and pipes.</summary>
internal sealed class PlainView(TextWriter output) : IFabView
{
    // The width of a time and the spaces after it.
    private const int Indent = 13;

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);

    public void Say(TimeSpan at, string line) => output.WriteLine(PlainText.Wrap(
        string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds,9:N3} s  {line}"), Indent));

    public async Task ShowAsync(Func<ValueTask<FabPicture?>> take, Task run)
    {
        using var timer = new PeriodicTimer(LineInterval);
        while (await Task.WhenAny(run, timer.WaitForNextTickAsync().AsTask()) != run)
        {
            if (await take() is not { } picture)
            {
                continue;
            }

            var tools = string.Join(", ", picture.Fab.Tools.Select(tool => tool.IsBusy
                ? $"{tool.Id} {Route.Step(tool.Step).Name} wafer {tool.Wafer}"
                : $"{tool.Id} {picture.StateOf(tool)}"));
            Say(picture.At, string.Create(
                CultureInfo.InvariantCulture,
                $"{picture.Fab.WafersFinished}/{picture.Fab.Wafers} wafers, "
                + $"{picture.EventsPerSecond:N0} events/s: {tools}"));
        }
    }

    public void Show(FabReport report)
    {
        foreach (var line in Verdict.Lines(report))
        {
            output.WriteLine(PlainText.Wrap(line, indent: 2));
        }
    }
}
