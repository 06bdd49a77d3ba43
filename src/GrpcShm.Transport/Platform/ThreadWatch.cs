namespace GrpcShm.Transport.Platform;

/// <summary>What the system knows of one thread's running. One thread asks at a time.</summary>
internal abstract class ThreadWatch
{
    /// <summary>
    /// Whether the thread could run but has hardly done so since the last question, because others have the processors.
    /// False if the system does not say.
    /// </summary>
    /// <param name="elapsed">How long ago the last question was.</param>
    public abstract bool IsKeptFromProcessor(TimeSpan elapsed);

    /// <summary>Notes how far the thread has come, for the next question.</summary>
    public abstract void Note();
}
