namespace GrpcShm.Transport.Platform;

/// <summary>Tells from the system whether a thread gets a processor. One thread asks at a time.</summary>
internal abstract class ThreadWatch
{
    /// <summary>
    /// Whether the thread could run but has hardly done so since the last question, because other threads have the
    /// processors. False if the system does not say.
    /// </summary>
    /// <param name="elapsed">The time since the last question.</param>
    public abstract bool IsKeptFromProcessor(TimeSpan elapsed);

    /// <summary>Notes how much processor time the thread has used, for the next question.</summary>
    public abstract void Note();
}
