using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Diagnostics;

/// <summary>
/// Counts the calls of a connection in direct mode that wait for a thread of the pool, in Kestrel's
/// <c>kestrel.queued_requests</c>. A call that runs on the thread that has received it waits for none.
/// </summary>
/// <remarks>
/// Listeners are foreign code. The thread that receives must not run it, and a pool that is short of threads would not
/// run it in time; that shortage is what this shows. So both only count, and Kestrel's heartbeat reports once a second
/// by how much the count has changed. The sum of the reports is the count as it was within the last second, and 0 when
/// the connection has ended. A listener that begins after the connection is told of later connections only, as in
/// Kestrel.
/// <para>The count is changed by anybody, atomically; a reader may see any of its values in time. <c>_told</c> is under
/// the gate: the heartbeat and the end of the connection may report at the same time, and each reports its own
/// share.</para>
/// </remarks>
internal sealed class QueuedRequests
{
    private readonly UpDownCounter<long> _counter;
    private readonly ServerConnection _connection;
    private readonly TagList _tags;
    private readonly Lock _gate = new();
    private long _count;
    private long _told;

    private QueuedRequests(UpDownCounter<long> counter, ServerConnection connection, TagList tags)
    {
        _counter = counter;
        _connection = connection;
        _tags = tags;
    }

    /// <summary>Finds Kestrel's instrument, which is made here if Kestrel has not made it yet.</summary>
    public static UpDownCounter<long> FindCounter(IMeterFactory meters) =>
        meters.Create("Microsoft.AspNetCore.Server.Kestrel").CreateUpDownCounter<long>(
            "kestrel.queued_requests",
            unit: "{request}",
            description: "Number of HTTP requests on multiplexed connections (HTTP/2 and HTTP/3) "
                + "that are currently queued and are waiting to start.");

    /// <summary>Begins to count for a connection.</summary>
    /// <returns>The count; nothing if nobody listens.</returns>
    public static QueuedRequests? Watch(
        UpDownCounter<long> counter, ServerConnection connection, System.Net.EndPoint endPoint)
    {
        if (!counter.Enabled)
        {
            return null;
        }

        // As Kestrel tags a connection of a transport that it does not know.
        var tags = new TagList
        {
            { "server.address", endPoint.ToString() },
            { "network.transport", endPoint.AddressFamily.ToString() },
            { "network.protocol.name", "http" },
            { "network.protocol.version", "2" },
        };
        return new QueuedRequests(counter, connection, tags);
    }

    /// <summary>Counts a call that is handed to the pool. Any thread.</summary>
    public void Enter() => Interlocked.Increment(ref _count);

    /// <summary>Takes a call off the count that begins on a thread of the pool.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);

    /// <summary>
    /// Reports by how much the count has changed. Never throws: an exception would keep Kestrel's heartbeat from the
    /// connections behind this one.
    /// </summary>
    public void Tell()
    {
        long change;
        lock (_gate)
        {
            change = Volatile.Read(ref _count) - _told;
            _told += change;
        }

        if (change == 0)
        {
            return;
        }

        try
        {
            _counter.Add(change, _tags);
        }
        catch (Exception exception)
        {
            Log.ListenerFailed(_connection.Application.Logger, _connection.ConnectionId, _counter.Name, exception);
        }
    }
}
