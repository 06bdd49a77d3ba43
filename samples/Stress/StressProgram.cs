using System.Text.Json;
using Samples.Stress.Supervision;

namespace Samples.Stress;

/// <summary>The first process: it starts the other processes, kills some of them, and checks the result.</summary>
internal static class StressProgram
{
    // About what it takes on an idle machine with two processors.
    private static readonly TimeSpan TimeOfStart = TimeSpan.FromSeconds(0.25);
    private static readonly TimeSpan TimeOfEnd = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(
        StressOptions options, ProgressView progress, CancellationToken cancellationToken)
    {
        Announce(options);
        try
        {
            var run = new StressRun(options, progress);
            var report = await run.RunAsync(cancellationToken);
            run.Show(report);
            if (options.Json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, StressReportContext.Default.StressReport));
            }

            return report.IsOk ? 0 : 1;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return 130;
        }
        catch (Exception exception) when (exception is IOException or TimeoutException or InvalidOperationException
            or PlatformNotSupportedException)
        {
            await Console.Error.WriteLineAsync(
                $"The stress could not be run over {options.TransportName}: {exception.Message}");
            return 1;
        }
    }

    private static void Announce(StressOptions options)
    {
        var processes = 1 + options.Producers + options.Consumers;
        Announcement.Print(
            Announcement.ChooseWriter(options.Json),
            $"Producers ({options.Producers}) send events over {options.TransportName} to consumers "
                + $"({options.Consumers}) through a hub{(options.UsesLanes ? " or past it" : "")}, "
                + $"{processes} processes in all."
                + (options.KillInterval is null ? "" : " Some of them are killed meanwhile, and started again."),
            "You will see the rate of the events every ten seconds, and at the end whether each event was processed "
                + "once, in order, and undamaged.",
            options.Duration + (processes * TimeOfStart) + TimeOfEnd);
    }
}
