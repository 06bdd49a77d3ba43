using System.Buffers;
using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="SessionRequest"/> whose events are forwarded.</summary>
/// <param name="Commands">The commands, in order.</param>
/// <param name="Part">A part of a larger request; empty if it is none.</param>
/// <param name="PartFollows">True if the next request is the next part.</param>
internal sealed record HubSessionRequest(List<HubCommand> Commands, ByteString Part, bool PartFollows)
{
    // As many as a usual client puts into one request.
    private const int MostKept = 512;

    // The list of the last request that this thread has had carried out. The next one is often read by the same thread.
    [ThreadStatic]
    private static List<HubCommand>? _spare;

    // A part of a request is large, and nothing else is beside it: the generated parser takes it where it lies.
    private const byte PartTag = (SessionRequest.PartFieldNumber << 3) | 2;

    /// <summary>Parses a request.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public static HubSessionRequest Parse(in ReadOnlySequence<byte> encoded) =>
        encoded is { IsSingleSegment: false, FirstSpan: [PartTag, ..] }
            ? Of(SessionRequest.Parser.ParseFrom(encoded))
            : WholeMessage.Parse(encoded, Parse);

    /// <summary>Parses a request.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public static HubSessionRequest Parse(ReadOnlySpan<byte> encoded)
    {
        var commands = _spare ?? [];
        _spare = null;

        // The generated parser decides about all that the reader does not take, and says why it refuses something.
        return CommandReader.TryRead(encoded, commands)
            ? new HubSessionRequest(commands, ByteString.Empty, PartFollows: false)
            : Of(SessionRequest.Parser.ParseFrom(encoded));
    }

    /// <summary>Makes a request of the contract's message.</summary>
    /// <param name="request">The message, which the hub may change from here on.</param>
    public static HubSessionRequest Of(SessionRequest request) =>
        new([.. request.Commands.Select(HubCommand.Of)], request.Part, request.PartFollows);

    /// <summary>
    /// The commands have been carried out, and nobody looks at the list any more. Another request may get it.
    /// </summary>
    public void Release()
    {
        if (Commands.Capacity <= MostKept)
        {
            Commands.Clear();
            _spare = Commands;
        }
    }
}
