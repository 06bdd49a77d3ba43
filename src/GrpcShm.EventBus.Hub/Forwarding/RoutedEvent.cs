using System.Diagnostics.CodeAnalysis;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>
/// An event on its way through the hub: its bytes, which are the same for all recipients, and what the hub has to know
/// of it.
/// </summary>
/// <remarks>
/// It is checked and stamped by one thread, and not changed any more once it is in a mailbox. Then any thread reads it.
/// </remarks>
internal abstract class RoutedEvent : IFilteredEvent
{
    public string Id => Text(EventPart.Id);

    public string Name => Text(EventPart.Name);

    public string Source => Text(EventPart.Source);

    public string Target => Text(EventPart.Target);

    /// <summary>The group that it is published to, which the hub sets; empty if there is none.</summary>
    public abstract string Group { get; }

    public abstract bool HasStateChange { get; }

    /// <summary>True if it tells of a machine that has come or gone.</summary>
    public virtual bool HasMachineChange => false;

    /// <summary>
    /// True if it is published. Then many subscriptions of one session may get it. It is set before any mailbox has it.
    /// </summary>
    public bool IsPublished { get; set; }

    /// <summary>The number that stands for its sender; zero: none.</summary>
    public abstract ulong Sender { get; }

    /// <summary>When it was made, in 100-nanosecond units since 1970; zero: not given.</summary>
    public abstract long Timestamp { get; }

    /// <summary>How many bytes the payload has.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>How many headers it has.</summary>
    public abstract int Headers { get; }

    /// <summary>How many bytes it has, encoded.</summary>
    public abstract int Size { get; }

    /// <summary>True if it may keep a message beside its bytes, or bytes beside its message.</summary>
    public abstract bool MayHaveTwoForms { get; }

    /// <summary>The encoded event.</summary>
    public abstract ReadOnlySpan<byte> Encoded { get; }

    /// <summary>Makes a routed event of a message; none of none.</summary>
    /// <param name="message">The message, which the hub may change from here on.</param>
    [return: NotNullIfNotNull(nameof(message))]
    public static RoutedEvent? Of(Event? message) => message is null ? null : new MessageEvent(message);

    /// <summary>The event as a message. It may be the same object for all callers, who must not change it.</summary>
    public abstract Event ToMessage();

    /// <summary>True if the event does not have a text, or has an empty one.</summary>
    public abstract bool IsEmpty(EventPart part);

    /// <summary>
    /// True if a text is known to have no more than so many bytes, and to have printable ASCII characters only. If not,
    /// it needs a closer look.
    /// </summary>
    public virtual bool IsPlain(EventPart part, int maxBytes) => false;

    /// <summary>Gives a text. It is decoded when it is asked for the first time.</summary>
    public abstract string Text(EventPart part);

    /// <summary>Decodes a text into memory of the caller, so that no string is made for a short look.</summary>
    /// <param name="part">The text.</param>
    /// <param name="destination">The memory.</param>
    /// <param name="length">How many characters it has.</param>
    /// <returns>
    /// <see langword="false"/> if there is a string of it already, or not enough memory: then take <see cref="Text"/>.
    /// </returns>
    public virtual bool TryDecode(EventPart part, Span<char> destination, out int length)
    {
        length = 0;
        return false;
    }

    /// <summary>Takes a string that equals a text, so that no other one is made of it.</summary>
    public virtual void Remember(EventPart part, string text)
    {
    }

    /// <summary>Puts in what the hub puts into events.</summary>
    /// <param name="sender">The number that stands for the sender; zero: none.</param>
    /// <param name="timestamp">The time for an event that says none; zero: the event stays as it is.</param>
    public abstract void Stamp(ulong sender, long timestamp);

    /// <summary>
    /// Notes one more holder: a mailbox, or whoever else keeps the event longer than the command with it lasts.
    /// </summary>
    public virtual void Hold()
    {
    }

    /// <summary>
    /// One holder has done with the event, and does not look at it any more. With the last one its memory may be used
    /// for another event. A holder that never says so leaves the memory to the garbage collector, and nothing else
    /// happens.
    /// </summary>
    public virtual void Release()
    {
    }

    /// <summary>Puts the group in, once the event has been stamped.</summary>
    public abstract void PutGroup(string group);

    /// <summary>Leaves out what only the hub may say of machines.</summary>
    public virtual void DropMachineChange()
    {
    }
}
