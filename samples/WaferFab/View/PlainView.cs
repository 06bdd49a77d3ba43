using System.Diagnostics;
using System.Globalization;
using Samples.WaferFab.Planning;

namespace Samples.WaferFab.View;

/// <summary>One line after the other, for files and pipes.</summary>
internal sealed class PlainView : IFabView
{
    private readonly long _started = Stopwatch.GetTimestamp();

    public void Say(string line)
    {
        var seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds,6:N2} s  {line}"));
    }

    public async Task ShowAsync(Func<ValueTask<FabPicture>> take, Task run)
    {
        using var clock = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await Task.WhenAny(run, clock.WaitForNextTickAsync().AsTask()) != run)
        {
            var picture = await take();
            var tools = string.Join(", ", picture.Fab.Tools.Select(tool => tool.IsBusy
                ? $"{tool.Id} {Route.Step(tool.Step).Name} wafer {tool.Wafer}"
                : $"{tool.Id} {picture.StateOf(tool)}"));
            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{picture.Fab.WafersFinished}/{picture.Fab.Wafers} wafers, "
                + $"{picture.EventsPerSecond:N0} events/s: {tools}"));
        }
    }

    public void Show(FabReport report)
    {
        foreach (var line in Verdict.Lines(report))
        {
            Console.WriteLine(line);
        }
    }
}
