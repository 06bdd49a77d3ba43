namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>A peer process and the connection to it; ends both.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly SampleProcess _process;

    private PeerProcess(SampleProcess process, IRawChannel channel) => (_process, Channel) = (process, channel);

    public IRawChannel Channel { get; }

    /// <param name="transport">The transport between the two processes.</param>
    /// <param name="directory">A directory of the run's own.</param>
    /// <param name="command">The command of this program that runs a <see cref="RawPeer"/>, before the transport and
    /// the address.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<PeerProcess> StartAsync(
        IRawTransport transport, string directory, string command, CancellationToken cancellationToken)
    {
        var address = Path.Combine(directory, transport.Name);
        var process = await SampleProcess.StartAsync([command, transport.Name, address], cancellationToken);
        try
        {
            return new PeerProcess(process, transport.Connect(address));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the peer rest until it is woken.</summary>
    public void Rest() => Channel.Order(roundTrips: 0, bytes: 0);

    /// <summary>Wakes the peer from its rest.</summary>
    public Task WakeAsync() => _process.TellAsync(RawPeer.WakeRequest, CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        Channel.Dispose();
        return _process.DisposeAsync();
    }
}
