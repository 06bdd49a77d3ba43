namespace GrpcShm.Client.Direct;

/// <summary>A call that waits for its response, however often it has to be sent.</summary>
internal interface IPendingCall
{
    /// <summary>The call objects that carry such calls.</summary>
    ClientCallPool Carriers { get; }

    /// <summary>Gives the call up while there is no response.</summary>
    CancellationToken CancellationToken { get; }

    /// <summary>True if a listener has been told of the call, and has to be told of its further steps.</summary>
    bool IsObserved { get; }

    /// <summary>
    /// True if the call waits, while there is no server, until there is one, or until the call is given up.
    /// </summary>
    bool WaitsForServer { get; }

    /// <summary>The number of attempts in vain.</summary>
    int Failures { get; set; }

    /// <summary>The reason why direct mode does not carry the call, once it is known.</summary>
    string? WhyNotCarried { get; set; }

    /// <summary>Finds what the call is for.</summary>
    /// <returns>The target; nothing if direct mode does not carry the call.</returns>
    CallTarget? FindTarget();

    /// <summary>Notes that the call begins to wait for a connection, or for room on one.</summary>
    void EnterQueue();

    /// <summary>
    /// Tells listeners that the call does not wait any more. They are foreign code and may throw.
    /// </summary>
    void LeaveQueue();

    /// <summary>
    /// Sends the call another way, since direct mode does not carry it, or the server has no direct mode.
    /// </summary>
    Task SendElsewhereAsync(SendResult reason);

    /// <summary>Ends the call with a failure, after its last attempt.</summary>
    void Fail(Exception failure);

    bool TrySetException(Exception exception);

    bool TrySetCanceled(CancellationToken cancellationToken);
}
