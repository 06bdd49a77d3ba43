using Google.Protobuf;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Service;

/// <summary>
/// Puts the messages of one client together that come in parts. The memory of messages that are not whole yet is taken
/// from the hub's bound for all sessions: a client may begin a message in each of its sessions, and never end it.
/// </summary>
/// <remarks>Only the reader of the session uses it.</remarks>
/// <param name="most">The most bytes that a message may have.</param>
/// <param name="memory">The hub's bound.</param>
internal sealed class IncomingParts(long most, Quota memory)
{
    private readonly MessageParts _parts = new();
    private int _taken;

    /// <summary>True if a message is neither a part nor between the parts of another one.</summary>
    public bool IsWhole(HubSessionRequest message) =>
        message.Part.Length == 0 && !message.PartFollows && !_parts.HasBegun;

    /// <summary>Takes a message that is not whole, or that comes between parts.</summary>
    /// <param name="message">The message.</param>
    /// <param name="whole">The message that is whole by this part; none if it needs further parts.</param>
    /// <returns>Why the session has to end, if it has to.</returns>
    /// <exception cref="Grpc.Core.RpcException">
    /// The message is too large (<c>ResourceExhausted</c>), as gRPC says it of a message that comes at once.
    /// </exception>
    public Verdict Take(HubSessionRequest message, out HubSessionRequest? whole)
    {
        whole = null;
        var part = message.Part;
        if (_parts.FindBrokenRule(part, message.PartFollows, message.Commands.Count == 0) is { } rule)
        {
            return Verdict.Invalid($"The client broke the rules for messages in parts: {rule}.");
        }

        if (!_parts.Fits(part, most))
        {
            throw Verdict.Exhausted($"Its parts have more than {most} bytes together.").ToException();
        }

        var more = _parts.MemoryWith(part, most) - _taken;
        if (more > 0 && memory.Take(more) is { } full)
        {
            return full.Exhausted("The messages of which further parts are to come have reached");
        }

        _taken += more;
        _parts.Add(part, most);
        return message.PartFollows ? Verdict.Ok : Parse(out whole);
    }

    /// <summary>Forgets the parts that have come, and gives their memory back.</summary>
    public void Release()
    {
        _parts.Clear();
        memory.Give(_taken);
        _taken = 0;
    }

    private Verdict Parse(out HubSessionRequest? whole)
    {
        whole = null;
        try
        {
            var message = HubSessionRequest.Parse(_parts.TakeWhole().Span);
            if (message.Part.Length > 0 || message.PartFollows)
            {
                return Verdict.Invalid(
                    "The client broke the rules for messages in parts: a message in parts was a part itself.");
            }

            whole = message;
            return Verdict.Ok;
        }
        catch (InvalidProtocolBufferException)
        {
            return Verdict.Invalid("The parts of a message of the client are no message of the contract together.");
        }
        finally
        {
            Release();
        }
    }
}
