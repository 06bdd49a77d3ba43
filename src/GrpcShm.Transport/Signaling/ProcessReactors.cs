using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// The reactors of this process: one, unless a setting says otherwise. Their threads start with the first connection or
/// listener, end when there has been none for a while, and start again with the next. The objects stay, and keep what
/// they have learnt.
/// </summary>
/// <remarks>
/// Since all channels and endpoints of a process share the reactors, the run-time configuration sets them up, and not
/// the options of a channel. <c>docs/reference/options.md</c> describes the settings.
/// </remarks>
internal static class ProcessReactors
{
    /// <summary>The number of reactors.</summary>
    public static readonly RunTimeSetting Count = new("GrpcShm.ReactorCount", Default: 1, Least: 1, Most: 64);

    /// <summary>
    /// The number of microseconds that a reactor may look at its rings before it sleeps. With 0 it always sleeps, and
    /// looks as soon as it is woken, as on a machine with one processor.
    /// </summary>
    public static readonly RunTimeSetting SpinTime =
        new("GrpcShm.SpinMicroseconds", Default: 40, Least: 0, Most: 1000);

    /// <summary>The number of milliseconds that a reactor's thread goes on without anything to serve.</summary>
    public static readonly RunTimeSetting IdleMilliseconds =
        new("GrpcShm.ReactorIdleMilliseconds", Default: 5_000, Least: 0, Most: 3_600_000);

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
        var count = Count.Read();
        var idle = IdleMilliseconds.Read();
        var spin = Environment.ProcessorCount > 1 ? SpinTime.Read() : 0;
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
}
