namespace GrpcShm.FaultInjection.Planning;

/// <summary>Which of the two processes dies.</summary>
internal enum Side
{
    /// <summary>The process that calls.</summary>
    Client,

    /// <summary>The process that is called.</summary>
    Server,
}
