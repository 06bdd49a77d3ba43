using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>Sends events to a machine as fast as they are acknowledged.</summary>
internal static class EventSending
{
    /// <summary>
    /// The number of events on their way: enough for full messages, and so few that memory does not matter.
    /// </summary>
    public const int Window = 2_048;

    // A look at the clock with each event would be a part of what is measured.
    private const int ClockEvery = 32;

    /// <returns>How many events were sent. All are acknowledged.</returns>
    public static async Task<long> RunAsync(IEventMachine sender, string target, int payloadBytes, RunLimits limits)
    {
        var end = limits.GetEnd();
        var earlier = Task.CompletedTask;
        var last = Task.CompletedTask;
        var payload = new byte[payloadBytes];
        long sent = 0;
        while (sent % ClockEvery != 0 || Stopwatch.GetTimestamp() < end || sent < limits.MinimumOperations)
        {
            EventArrivals.Mark(payload, ++sent);
            last = sender.SendAsync(target, payload);
            if (sent % (Window / 2) == 0)
            {
                // Acknowledgements come in the order of the sends.
                await earlier;
                earlier = last;
            }
        }

        await earlier;
        await last;
        return sent;
    }
}
