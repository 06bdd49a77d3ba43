namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// The lower limits of the machine: two bare rings and a socket between two processes in C# without gRPC, and copies in
/// memory. They are measured again between the scenarios, since the speed of a shared machine changes.
/// </summary>
internal sealed class MachineFloor : IAsyncDisposable
{
    public const string PeerCommand = "floor-peer";

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(40);

    private readonly PeerProcess _ring;
    private readonly PeerProcess _socket;
    private readonly RawMeter _ringMeter;
    private readonly RawMeter _socketMeter;
    private readonly MemoryCopyFloor _copy = new();
    private readonly List<FloorRound> _rounds = [];

    private MachineFloor(PeerProcess ring, PeerProcess socket)
    {
        (_ring, _socket) = (ring, socket);
        (_ringMeter, _socketMeter) = (new RawMeter(ring.Channel), new RawMeter(socket.Channel));
    }

    public static IReadOnlyList<IRawTransport> Transports { get; } =
        [new MappedRingRawTransport(), new UnixSocketRawTransport()];

    public IReadOnlyList<FloorRound> Rounds => _rounds;

    public static async Task<MachineFloor> StartAsync(string directory, CancellationToken cancellationToken)
    {
        var ring = await PeerProcess.StartAsync(Transports[0], directory, PeerCommand, cancellationToken);
        try
        {
            // The compared transports have other names in the same directory.
            var floor = new MachineFloor(
                ring, await PeerProcess.StartAsync(Transports[1], directory, PeerCommand, cancellationToken));

            // This run only makes the just-in-time compiler compile the code.
            floor.MeasureOnce();
            floor.Rest();
            return floor;
        }
        catch
        {
            await ring.DisposeAsync();
            throw;
        }
    }

    public async Task MeasureAsync()
    {
        await _ring.WakeAsync();
        await _socket.WakeAsync();
        _rounds.Add(MeasureOnce());
        Rest();
    }

    public async ValueTask DisposeAsync()
    {
        await _ring.DisposeAsync();
        await _socket.DisposeAsync();
        _copy.Dispose();
    }

    private void Rest()
    {
        _ring.Rest();
        _socket.Rest();
    }

    private FloorRound MeasureOnce()
    {
        var ring = _ringMeter.MeasureRoundTrip(Turn);
        var socket = _socketMeter.MeasureRoundTrip(Turn);
        return new FloorRound(
            ring.P50,
            ring.P99,
            _ringMeter.MeasureBytes(Turn),
            socket.P50,
            socket.P99,
            _socketMeter.MeasureBytes(Turn),
            _copy.MeasureRing(Turn),
            _copy.MeasureLarge(Turn));
    }
}
