using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

// Responses of the hub that come in parts. Only the thread that reads from the hub is here.
internal sealed partial class SessionLink
{
    private readonly MessageParts _parts = new();

    private void TakePart(SessionResponse response, ref IThreadPoolWorkItem? inline)
    {
        var most = Limits.MaxResponseSize;
        if (_parts.FindBrokenRule(response.Part, response.PartFollows, IsAlone(response)) is { } rule)
        {
            throw MakeBrokenRule(rule);
        }

        if (!_parts.Fits(response.Part, most))
        {
            throw new EventBusException(
                StatusCode.ResourceExhausted,
                $"The hub wrote a response of more than {most} bytes, though it takes events of at most "
                + $"{Limits.MaxEventSize} bytes.");
        }

        _parts.Add(response.Part, most);
        if (!response.PartFollows)
        {
            Take(ParseWhole(), ref inline);
        }
    }

    private IncomingResponse ParseWhole()
    {
        IncomingResponse whole;
        try
        {
            whole = IncomingResponse.Parse(_parts.TakeWhole().Span);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new EventBusException(
                StatusCode.Internal,
                "The parts of a response of the hub are no response of the contract together.",
                null,
                exception);
        }

        // Otherwise this code would call itself for as long as the peer likes.
        return whole.Rest is { Part.Length: > 0 } or { PartFollows: true }
            ? throw MakeBrokenRule("a message in parts was a part itself")
            : whole;
    }

    private static bool IsAlone(SessionResponse response) => response is
    {
        Opened: null, Closing: null, CompletedThrough: 0,
        Deliveries.Count: 0, Outcomes.Count: 0, Losses.Count: 0, LaneNotices.Count: 0,
    };

    private static EventBusException MakeBrokenRule(string rule) => new(
        StatusCode.Internal, $"The hub broke the rules for messages in parts: {rule}.");
}
