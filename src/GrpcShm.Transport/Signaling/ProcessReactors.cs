using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The reactors of this process: one, unless a setting says otherwise. Their threads start with the first connection or
/// listener, end when there has been none for a while, and start again with the next. The objects stay, and keep what
/// they have learnt.
/// </summary>
/// <remarks>
/// Since all channels and endpoints of a process share the reactors, the run-time configuration sets them up
/// (<c>runtimeconfig.json</c>, <c>RuntimeHostConfigurationOption</c> in a project), and not the options of a channel:
/// <list type="bullet">
/// <item><c>GrpcShm.ReactorCount</c>: how many, 1 to 64; defaults to 1.</item>
/// <item><c>GrpcShm.SpinMicroseconds</c>: how long a reactor may look at its rings before it sleeps, 0 to 1000;
/// defaults to 40. With 0 it always sleeps, and looks as soon as it is woken, as on a machine with one
/// processor.</item>
/// <item><c>GrpcShm.ReactorIdleMilliseconds</c>: how long a reactor's thread goes on without anything to serve, 0 to
/// 3,600,000; defaults to 5,000.</item>
/// </list>
/// </remarks>
internal static class ProcessReactors
{
    private static readonly Lock Gate = new();
    private static Reactor[]? s_reactors;
    private static uint s_next;
    private static long s_idleTicks;

    /// <summary>How long a reactor goes on without anything to serve.</summary>
    public static TimeSpan IdleTime
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref s_idleTicks));
        set => Volatile.Write(ref s_idleTicks, value.Ticks);
    }

    /// <summary>The reactor for a new connection.</summary>
    public static Reactor Next()
    {
        var reactors = Volatile.Read(ref s_reactors) ?? Create();
        return reactors[Interlocked.Increment(ref s_next) % (uint)reactors.Length];
    }

    /// <summary>How many spins of all reactors found something, and how many found nothing.</summary>
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

    /// <summary>
    /// Ends the reactors that have nothing to serve at once, and the others as soon as they have nothing more to serve.
    /// </summary>
    public static void EndIdle()
    {
        IdleTime = TimeSpan.Zero;
        Array.ForEach(Volatile.Read(ref s_reactors) ?? [], static reactor => reactor.EndIfIdle());
    }

    private static Reactor[] Create()
    {
        var count = ReadSetting("GrpcShm.ReactorCount", 1, 1, 64);
        var idle = ReadSetting("GrpcShm.ReactorIdleMilliseconds", 5_000, 0, 3_600_000);
        var spin = Environment.ProcessorCount > 1 ? ReadSetting("GrpcShm.SpinMicroseconds", 40, 0, 1000) : 0;
        lock (Gate)
        {
            if (s_reactors is { } created)
            {
                return created;
            }

            IdleTime = TimeSpan.FromMilliseconds(idle);
            var reactors = new Reactor[count];
            for (var i = 0; i < count; i++)
            {
                reactors[i] = new Reactor(
                    static () => TransportPlatform.Current.CreatePoller(),
                    $"GrpcShm reactor {i}",
                    new AdaptiveWait(TimeSpan.FromMicroseconds(spin)),
                    static () => TransportPlatform.Current.WatchThread(),
                    static () => IdleTime);
            }

            var sentinel = new Sentinel(reactors);
            Array.ForEach(reactors, reactor => reactor.WatchBy(sentinel));
            ContextUnloading.Add(typeof(ProcessReactors).Assembly, EndIdle);
            Volatile.Write(ref s_reactors, reactors);
            return reactors;
        }
    }

    private static int ReadSetting(string name, int fallback, int least, int most)
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
