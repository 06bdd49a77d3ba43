namespace GrpcShm.EventBus.Forwarding;

/// <summary>Where something lies in the bytes of an event. Empty if it is not there.</summary>
/// <param name="Start">The index of its first byte.</param>
/// <param name="Length">How many bytes it has.</param>
internal readonly record struct FieldRange(int Start, int Length)
{
    public int End => Start + Length;
}
