using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Diagnostics;

/// <summary>
/// Tells Kestrel's <c>kestrel.queued_requests</c> how many calls of a connection in direct mode wait for a thread of
/// the pool. A call that runs on the thread that has received it has waited for none.
/// </summary>
/// <remarks>
/// Whoever listens is foreign code, which neither the thread that receives may run nor a pool that is short of threads
/// would run in time: that shortage is what this is for. So those two count, and Kestrel's heartbeat tells once a
/// second by how much the count has changed. The sum of what is told is the count as it was within the last second, and
/// 0 when the connection has ended. Who listens later than the connection begins is told of the next one, as in
/// Kestrel.
/// <para>The count is changed by anybody, atomically; a reader may see any of its values in time. <c>_told</c> is under
/// the gate: the heartbeat and the end of the connection may tell at the same time, and each tells its own
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
    public static UpDownCounter<long> FindCounter(IMeterFactory meters) => meters.Create("Microsoft.AspNetCore.Server.Kestrel").CreateUpDownCounter<long>(
        "kestrel.queued_requests",
        unit: "{request}",
        description: "Number of HTTP requests on multiplexed connections (HTTP/2 and HTTP/3) that are currently queued and are waiting to start.");

    /// <summary>Begins to count for a connection.</summary>
    /// <returns>Nothing if nobody listens.</returns>
    public static QueuedRequests? Watch(UpDownCounter<long> counter, ServerConnection connection, System.Net.EndPoint endPoint) => !counter.Enabled
        ? null
        : new QueuedRequests(counter, connection, new TagList
        {
            // As Kestrel tags a connection that is neither a socket nor a pipe of its own.
            { "server.address", endPoint.ToString() },
            { "network.transport", endPoint.AddressFamily.ToString() },
            { "network.protocol.name", "http" },
            { "network.protocol.version", "2" },
        });

    /// <summary>A call was handed to the pool. Any thread.</summary>
    public void Enter() => Interlocked.Increment(ref _count);

    /// <summary>A call that was handed to the pool begins there.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);

    /// <summary>
    /// Tells what has changed. Never throws: Kestrel's heartbeat would not come to the connections behind this one.
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
