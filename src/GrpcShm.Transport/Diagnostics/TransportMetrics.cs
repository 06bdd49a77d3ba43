using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// The meter <c>GrpcShm.Transport</c>. Each connection counts its own messages, and the counts are added up only when
/// the meter is read. Rare events are counted here.
/// </summary>
internal sealed class TransportMetrics
{
    public const string MeterName = "GrpcShm.Transport";

    private static readonly Lazy<TransportMetrics> ProcessWide = new(static () =>
        new TransportMetrics(ContextUnloading.DisposeWith(typeof(TransportMetrics).Assembly, new Meter(MeterName))));

    // A factory gives the same meter for the same name, but new instruments each time, which would then report twice.
    private static readonly ConditionalWeakTable<IMeterFactory, TransportMetrics> ByFactory = [];

    private readonly Lock _gate = new();
    private readonly HashSet<SharedMemoryConnection> _connections = [];
    private readonly ConnectionCounters _ended = new();
    private readonly Counter<long> _refused;
    private readonly Counter<long> _cutOff;

    private TransportMetrics(Meter meter)
    {
        _refused = meter.CreateCounter<long>(
            "grpcshm.handshakes.refused", "{handshake}", "Handshakes that have failed, by reason.");
        _cutOff = meter.CreateCounter<long>(
            "grpcshm.connections.cut_off",
            "{connection}",
            "Connections ended because the peer broke a rule, or because checksums showed that the memory has been "
            + "corrupted.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.connections", CountConnections, "{connection}", "Connections that are open.");
        Observe(meter, "grpcshm.bytes.received", "By", "Bytes read from rings.", static c => c.BytesReceived);
        Observe(meter, "grpcshm.bytes.sent", "By", "Bytes published in rings.", static c => c.BytesSent);
        Observe(meter, "grpcshm.doorbells.rung", "{doorbell}", "Doorbells rung: system calls made to wake a peer.",
            static c => c.DataDoorbells + c.SpaceDoorbells);
        Observe(
            meter,
            "grpcshm.doorbells.saved",
            "{doorbell}",
            "Publishes whose reader was awake and needed no doorbell.",
            static c => c.DoorbellsSaved);
        Observe(meter, "grpcshm.space.waits", "{wait}", "Writes that had to wait for the peer to read.",
            static c => c.SpaceWaits);
        meter.CreateObservableCounter(
            "grpcshm.spins",
            static () =>
            {
                var (paid, unpaid) = ProcessReactors.SpinTotals();
                return (Measurement<long>[])
                [
                    new(paid, new KeyValuePair<string, object?>("grpcshm.spin.paid", true)),
                    new(unpaid, new KeyValuePair<string, object?>("grpcshm.spin.paid", false)),
                ];
            },
            "{spin}",
            "Times that a reactor of this process looked at its rings before it slept, by whether it found something.");
    }

    /// <summary>The metrics of a factory's meter, or without a factory the metrics of the process.</summary>
    public static TransportMetrics For(IMeterFactory? factory) =>
        factory is null
            ? ProcessWide.Value
            : ByFactory.GetValue(factory, static f => new TransportMetrics(f.Create(MeterName)));

    public void AddConnection(SharedMemoryConnection connection)
    {
        lock (_gate)
        {
            _connections.Add(connection);
        }
    }

    public void RemoveConnection(SharedMemoryConnection connection)
    {
        lock (_gate)
        {
            if (_connections.Remove(connection))
            {
                connection.Counters.AddTo(_ended);
            }
        }
    }

    public void CountRefusedHandshake(RefusalCode code, ConnectionRole role) =>
        _refused.Add(
            1,
            new KeyValuePair<string, object?>("grpcshm.refusal.reason", code.ToString()),
            new KeyValuePair<string, object?>("grpcshm.role", role.ToString()));

    /// <summary>Counts a connection that was ended because of bytes that were read from it.</summary>
    /// <param name="isCorruption">Whether a checksum did not match; if not, the peer broke a rule.</param>
    /// <param name="role">The end of the connection that this process has.</param>
    public void CountCutOff(bool isCorruption, ConnectionRole role) =>
        _cutOff.Add(
            1,
            new KeyValuePair<string, object?>("grpcshm.cut_off.reason", isCorruption ? "Corruption" : "Violation"),
            new KeyValuePair<string, object?>("grpcshm.role", role.ToString()));

    private int CountConnections()
    {
        lock (_gate)
        {
            return _connections.Count;
        }
    }

    private void Observe(
        Meter meter, string name, string unit, string description, Func<ConnectionCounters, long> select) =>
        meter.CreateObservableCounter(name, () => select(Sum()), unit, description);

    private ConnectionCounters Sum()
    {
        var sum = new ConnectionCounters();
        lock (_gate)
        {
            _ended.AddTo(sum);
            foreach (var connection in _connections)
            {
                connection.Counters.AddTo(sum);
            }
        }

        return sum;
    }
}
