namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// A way for two processes to exchange bytes, without gRPC. If only the way of waiting differs, it is another transport
/// with another name.
/// </summary>
internal interface IRawTransport
{
    string Name { get; }

    string Description { get; }

    /// <summary>
    /// Peer process: listens on the address, calls <paramref name="listening"/>, and accepts the first client.
    /// </summary>
    /// <param name="address">A path that does not exist, in a directory of the run's own.</param>
    /// <param name="listening">Called when a client may connect.</param>
    IRawChannel Accept(string address, Action listening);

    /// <summary>Measuring process: connects to a peer that listens.</summary>
    IRawChannel Connect(string address);
}
