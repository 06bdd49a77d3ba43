namespace GrpcShm.Samples.Comparison.Peers;

internal enum PeerRequestKind
{
    /// <summary>The resources that the process has used; answered by a <c>ResourceUsage</c>.</summary>
    Usage,

    /// <summary>A machine joins; answered by an empty <see cref="PeerArrivals"/> when it has joined.</summary>
    Join,

    /// <summary>The machine leaves when all events have come; answered by its <see cref="PeerArrivals"/>.</summary>
    Leave,
}
