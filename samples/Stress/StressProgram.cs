using System.Text.Json;
using Samples.Stress.Supervision;

namespace Samples.Stress;

/// <summary>The first process: it starts the other processes, kills some of them, and checks the result.</summary>
internal static class StressProgram
{
    public static async Task<int> RunAsync(StressOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var run = new StressRun(options);
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
}
