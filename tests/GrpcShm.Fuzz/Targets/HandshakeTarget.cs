using GrpcShm.Transport;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// One side's whole conversation over the control socket: the handshake, and, if it succeeds, a connection that reads
/// on until the socket ends.
/// </summary>
internal abstract class HandshakeTarget : IFuzzTarget
{
    private static readonly SharedMemoryEndPoint EndPoint = new("fuzz");

    private readonly Lazy<SharedFiles> _files = new(static () => new SharedFiles());

    public abstract string Name { get; }

    public int Weight => 2;

    public int MaxLength => 2500;

    public abstract IEnumerable<byte[]> Seeds { get; }

    protected SharedFiles Files => _files.Value;

    protected abstract Task<ConnectionParts> ShakeHandsAsync(ControlChannel channel, Reactor reactor);

    /// <summary>Reads the part of an input that is not for the socket.</summary>
    protected virtual ReadOnlySpan<byte> Prepare(ReadOnlySpan<byte> input) => input;

    public string Run(ReadOnlySpan<byte> input)
    {
        var socket = new ScriptedSocket(Prepare(input), Files);
        var outcome = Converse(socket);
        socket.VerifyClosed();
        return outcome;
    }

    private string Converse(ScriptedSocket socket)
    {
        var reactor = ProcessReactors.Next();
        var channel = new ControlChannel(socket, reactor);
        var handshake = ShakeHandsAsync(channel, reactor);

        // The socket has an answer each time, so nothing waits any more.
        FuzzFailureException.ThrowIf(!handshake.IsCompleted, "The handshake waits although the socket has ended.");
        if (handshake.Exception?.InnerException is { } failure)
        {
            channel.Dispose();
            return Outcome.IsExpected(failure)
                ? Outcome.Of(failure)
                : throw new FuzzFailureException($"The handshake failed by an error that no peer can cause: {failure}");
        }

        using var connection = new SharedMemoryConnection(
            handshake.Result, EndPoint, TransportMetrics.For(null), NullLogger.Instance);
        FuzzFailureException.ThrowIf(connection.Cause is null, "The socket has ended, and the connection has not.");
        var cause = connection.Cause!;
        return cause.ByPeer
            ? $"connected, then by the peer {(Enum.IsDefined(cause.Code) ? cause.Code : "something else")}"
            : $"connected, then {cause.Code} {Outcome.Of(cause.Reason)}";
    }
}
