namespace GrpcShm.EventBus.Lanes;

/// <summary>The other side of a lane broke the rules. The lane ends, and the hub carries the events again.</summary>
internal sealed class LaneException(string message) : Exception(message);
