using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>A mark in a mailbox, in the place of an event: behind all events that were put in before it.</summary>
/// <param name="route">The route whose fence it is.</param>
internal sealed class FenceMark(HubRoute route) : RoutedEvent
{
    public HubRoute Route { get; } = route;

    public override string Group => "";

    public override bool HasStateChange => false;

    public override ulong Sender => 0;

    public override long Timestamp => 0;

    public override int PayloadLength => 0;

    public override int Headers => 0;

    public override int Size => 0;

    public override bool MayHaveTwoForms => false;

    public override ReadOnlySpan<byte> Encoded => [];

    public override Event ToMessage() => throw Unexpected();

    public override bool IsEmpty(EventPart part) => true;

    public override string Text(EventPart part) => "";

    public override void Stamp(ulong sender, long timestamp) => throw Unexpected();

    public override void PutGroup(string group) => throw Unexpected();

    private static InvalidOperationException Unexpected() => new("A fence is no event.");
}
