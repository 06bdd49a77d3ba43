namespace GrpcShm.Client.Direct;

/// <summary>A call that waits for its response, over as many attempts as it takes.</summary>
internal interface IPendingCall
{
    /// <summary>Gives the call up, as long as there is no response.</summary>
    CancellationToken CancellationToken { get; }

    /// <summary>Whether somebody is told of the call, who has to hear of its steps.</summary>
    bool IsObserved { get; }

    /// <summary>How often the call has been begun in vain.</summary>
    int Failures { get; set; }

    /// <summary>Why direct mode does not carry the call, once that has been found out.</summary>
    string? WhyNotCarried { get; set; }

    /// <summary>Finds what the call has in common with others.</summary>
    /// <returns>Nothing if direct mode does not carry the call.</returns>
    CallTarget? FindTarget();

    /// <summary>The call begins to wait for a connection, or for room on one.</summary>
    void EnterQueue();

    /// <summary>The call does not wait any more. Listeners are told, who are foreign code and may throw.</summary>
    void LeaveQueue();

    /// <summary>
    /// Goes another way, since direct mode does not carry the call, or the server has no direct mode.
    /// </summary>
    Task SendElsewhereAsync(SendResult reason);

    /// <summary>The call has come to nothing, and is not tried again.</summary>
    void Fail(Exception failure);

    bool TrySetException(Exception exception);

    bool TrySetCanceled(CancellationToken cancellationToken);
}
