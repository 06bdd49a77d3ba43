using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>The reactors of this process: one, unless it is told otherwise. They start with the first connection.</summary>
/// <remarks>
/// Since all channels and endpoints of a process share them, they are set up by the run-time configuration
/// (<c>runtimeconfig.json</c>, <c>RuntimeHostConfigurationOption</c> in a project) and not by anyone's options:
/// <list type="bullet">
/// <item><c>GrpcShm.ReactorCount</c>: how many, 1 to 64; defaults to 1.</item>
/// <item><c>GrpcShm.SpinMicroseconds</c>: how long a reactor may look at its rings before it sleeps, 0 to 1000; defaults
/// to 40. 0 makes it always sleep and look at once, as it does on a machine with one processor.</item>
/// </list>
/// </remarks>
internal static class ReactorPool
{
    private static readonly Lock Gate = new();
    private static Reactor[]? s_reactors;
    private static uint s_next;

    /// <summary>The reactor for a new connection.</summary>
    /// <exception cref="IOException">The system lacks something for the first one; the next call tries again.</exception>
    public static Reactor Next()
    {
        var reactors = Volatile.Read(ref s_reactors) ?? Start();
        return reactors[Interlocked.Increment(ref s_next) % (uint)reactors.Length];
    }

    /// <summary>Spins of all reactors that found something, and that did not.</summary>
    public static (long Paid, long Unpaid) SpinTotals()
    {
        var paid = 0L;
        var unpaid = 0L;
        foreach (var reactor in Volatile.Read(ref s_reactors) ?? [])
        {
            paid += reactor.Waiting.Paid + reactor.Trust.Paid;
            unpaid += reactor.Waiting.Unpaid + reactor.Trust.Unpaid;
        }

        return (paid, unpaid);
    }

    private static Reactor[] Start()
    {
        var count = Setting("GrpcShm.ReactorCount", 1, 1, 64);
        var spin = Environment.ProcessorCount > 1 ? Setting("GrpcShm.SpinMicroseconds", 40, 0, 1000) : 0;
        lock (Gate)
        {
            if (s_reactors is { } started)
            {
                return started;
            }

            // All pollers first: what can fail does so before a thread runs.
            var pollers = new List<Poller>(count);
            try
            {
                while (pollers.Count < count)
                {
                    pollers.Add(TransportPlatform.Current.CreatePoller());
                }
            }
            catch
            {
                pollers.ForEach(static poller => poller.Dispose());
                throw;
            }

            Reactor[] reactors =
            [
                .. pollers.Select((poller, i) => new Reactor(
                    poller,
                    $"GrpcShm reactor {i}",
                    new AdaptiveWait(TimeSpan.FromMicroseconds(spin)),
                    TransportPlatform.Current.WatchThread)),
            ];
            var sentinel = new Sentinel(reactors);
            Array.ForEach(reactors, reactor => reactor.WatchBy(sentinel));
            Volatile.Write(ref s_reactors, reactors);
            return reactors;
        }
    }

    private static int Setting(string name, int fallback, int least, int most)
    {
        var data = AppContext.GetData(name);
        if (data is null)
        {
            return fallback;
        }

        var text = Convert.ToString(data, System.Globalization.CultureInfo.InvariantCulture);
        return int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= most
                ? value
                : throw new InvalidOperationException(
                    $"The run-time setting '{name}' is '{text}'; it has to be a number from {least} to {most}.");
    }
}
