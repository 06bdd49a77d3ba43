namespace GrpcShm.Transport.Calls;

/// <summary>Memory that is sent from where it lies.</summary>
internal interface ILentMemory
{
    /// <summary>
    /// Ends a use of the memory: it has been sent, or will not be. Once for each use, on any thread, also under a lock.
    /// Never waits, and runs no foreign code.
    /// </summary>
    void Leave();
}
