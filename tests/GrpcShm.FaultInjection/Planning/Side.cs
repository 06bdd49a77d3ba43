namespace GrpcShm.FaultInjection.Planning;

/// <summary>Which of the two processes dies.</summary>
internal enum Side
{
    /// <summary>The one that calls.</summary>
    Client,

    /// <summary>The one that is called.</summary>
    Server,
}
