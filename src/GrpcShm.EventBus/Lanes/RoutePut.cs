namespace GrpcShm.EventBus.Lanes;

/// <summary>What became of an event that came over a lane.</summary>
internal enum RoutePut
{
    /// <summary>It is in its machine's queue.</summary>
    Taken,

    /// <summary>Its route has ended. The hub is to carry it.</summary>
    NotTaken,

    /// <summary>The other side had no credit for it.</summary>
    WithoutCredit,
}
