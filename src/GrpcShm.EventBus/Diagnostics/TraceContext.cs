namespace GrpcShm.EventBus.Diagnostics;

/// <summary>The W3C trace context of a send, which its event carries in two headers.</summary>
/// <param name="Parent">The span's id; none if nobody traces.</param>
/// <param name="State">The state of the trace; none if it has none.</param>
internal readonly record struct TraceContext(string? Parent, string? State)
{
    public const string ParentHeader = "traceparent";
    public const string StateHeader = "tracestate";
}
