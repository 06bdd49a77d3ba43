using GrpcShm.Samples.Comparison.Floor;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>A raw transport to a peer process.</summary>
internal sealed class TransportMeter(IRawTransport transport, PeerProcess peer) : IRawMeter
{
    private readonly RawMeter _meter = new(peer.Channel);

    public string Name => transport.Name;

    public (double P50, double P99) MeasureRoundTrip(TimeSpan duration) => _meter.MeasureRoundTrip(duration);

    public double MeasureBytes(TimeSpan duration) => _meter.MeasureBytes(duration);
}
