using System.Buffers;
using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="SessionRequest"/> whose events are forwarded.</summary>
/// <param name="Commands">The commands, in order.</param>
/// <param name="Part">A part of a larger request; empty if it is none.</param>
/// <param name="PartFollows">True if the next request is the next part.</param>
internal sealed record HubSessionRequest(
    IReadOnlyList<HubCommand> Commands, ByteString Part, bool PartFollows)
{
    // The pool would keep larger memory for long, though such requests are rare. A part of a request is one of these.
    private const int MostPooled = 1024 * 1024;
    private const byte PartTag = (SessionRequest.PartFieldNumber << 3) | 2;

    /// <summary>Parses a request.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public static HubSessionRequest Parse(in ReadOnlySequence<byte> encoded)
    {
        if (encoded.IsSingleSegment)
        {
            return Parse(encoded.FirstSpan);
        }

        if (encoded.FirstSpan is [PartTag, ..])
        {
            // It is large, and nothing else is in it.
            return Of(SessionRequest.Parser.ParseFrom(encoded));
        }

        if (encoded.Length > MostPooled)
        {
            return Parse(encoded.ToArray());
        }

        var length = (int)encoded.Length;
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            encoded.CopyTo(whole);
            return Parse(whole.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    /// <summary>Parses a request.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public static HubSessionRequest Parse(ReadOnlySpan<byte> encoded)
    {
        // The generated parser decides about all that the reader does not take, and says why it refuses something.
        return CommandReader.TryRead(encoded, out var commands)
            ? new HubSessionRequest(commands, ByteString.Empty, PartFollows: false)
            : Of(SessionRequest.Parser.ParseFrom(encoded));
    }

    /// <summary>Makes a request of the contract's message.</summary>
    /// <param name="request">The message, which the hub may change from here on.</param>
    public static HubSessionRequest Of(SessionRequest request) =>
        new([.. request.Commands.Select(HubCommand.Of)], request.Part, request.PartFollows);
}
