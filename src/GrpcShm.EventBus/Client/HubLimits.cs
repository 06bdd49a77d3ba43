using System.Text;
using Grpc.Core;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>The limits that a hub told when it opened a session.</summary>
internal sealed class HubLimits
{
    // The hub allows an id this, and a longer text four times as much.
    private const int TextFactor = 4;

    private readonly long _maxIdLength;
    private readonly long _maxMessageSize;

    public HubLimits(SessionOpened opened)
    {
        // Zero is what a hub leaves out.
        MaxEventSize = opened.MaxEventSize > 0 ? opened.MaxEventSize : uint.MaxValue;
        _maxIdLength = opened.MaxIdLength > 0 ? opened.MaxIdLength : uint.MaxValue;
        (_maxMessageSize, IsMessageSizeKnown) = opened.MaxMessageSize > 0
            ? (opened.MaxMessageSize, true)
            : (long.MaxValue, false);
        TakesParts = opened.TakesParts;
    }

    private HubLimits() =>
        (MaxEventSize, _maxIdLength, _maxMessageSize) = (uint.MaxValue, uint.MaxValue, long.MaxValue);

    /// <summary>The limits before the hub has told any.</summary>
    public static HubLimits Unknown { get; } = new();

    /// <summary>The most bytes that an event may have, encoded.</summary>
    public uint MaxEventSize { get; }

    /// <summary>False for an older hub, which does not tell how large a message may be.</summary>
    public bool IsMessageSizeKnown { get; }

    /// <summary>True if the hub puts messages together that come in parts.</summary>
    public bool TakesParts { get; }

    /// <summary>The most bytes that the parts of one response may have together.</summary>
    public long MaxResponseSize => MessageSize.LimitFor((int)Math.Min(MaxEventSize, MessageSize.LargestEvent));

    /// <summary>The most bytes that an id may have in UTF-8.</summary>
    public long MaxIdLength => _maxIdLength;

    /// <summary>True if an id is not too long.</summary>
    public bool AllowsId(string id) => Fits(id, _maxIdLength);

    /// <summary>True if a name or another longer text is not too long.</summary>
    public bool AllowsText(string text) => Fits(text, _maxIdLength * TextFactor);

    /// <summary>Checks a command before it is written.</summary>
    /// <returns>Why it cannot be written; none if it can.</returns>
    public EventBusException? Check(PendingCommand command)
    {
        // The command is never smaller than its event.
        if (command.Size > MaxEventSize && command is PendingEvent { EventSize: var size } && size > MaxEventSize)
        {
            return new EventBusException(
                StatusCode.ResourceExhausted,
                $"The event has {size} bytes; the hub takes at most {MaxEventSize} (MaxEventSize).")
            {
                IsTooLarge = true,
            };
        }

        var most = _maxMessageSize - MessageSize.Batch;
        return command.Size <= most
            ? null
            : new EventBusException(
                StatusCode.ResourceExhausted,
                $"The command to the hub has {command.Size} bytes with its ids, names and groups; "
                + $"the hub takes at most {most}.")
            {
                IsTooLarge = true,
            };
    }

    /// <summary>Checks the answer of a machine before it is written.</summary>
    /// <returns>The answer to write in its place; none if it can be written.</returns>
    public Acknowledgement? Check(string machineId, Event? reply, string? newState)
    {
        // The code is none that a sender tries again after: the event has been handled.
        if (reply is not null && reply.CalculateSize() is var size && size > MaxEventSize)
        {
            return new Acknowledgement
            {
                StatusCode = (int)StatusCode.Internal,
                Message = $"The reply of the machine '{machineId}' has {size} bytes; "
                    + $"the hub takes at most {MaxEventSize} (MaxEventSize).",
            };
        }

        var most = _maxIdLength * TextFactor;
        return newState is null || newState.Length <= most
            ? null
            : new Acknowledgement
            {
                StatusCode = (int)StatusCode.InvalidArgument,
                Message = $"The new state of the machine '{machineId}' has {newState.Length} characters; "
                    + $"the hub takes at most {most} bytes.",
            };
    }

    // A UTF-16 code unit has at most three bytes in UTF-8: short texts need not be counted.
    private static bool Fits(string text, long most) =>
        text.Length * 3L <= most || (text.Length <= most && Encoding.UTF8.GetByteCount(text) <= most);
}
