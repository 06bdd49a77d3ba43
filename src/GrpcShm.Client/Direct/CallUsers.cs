namespace GrpcShm.Client.Direct;

/// <summary>
/// Counts the three users of a call: the connection, the sender of the request, and the reader of the response. When
/// all have let the call go, it may serve again, if it took the usual course.
/// </summary>
internal sealed class CallUsers
{
    private const int All = 3;

    // Counted down by each of the three, with a full fence: the last one sees all that the others have written, and
    // resets the count.
    private int _count = All;
    private bool _isReusable = true;

    /// <summary>
    /// Keeps the call from serving again, since somebody may use it beyond its end. By one of the three users.
    /// </summary>
    public void KeepFromReuse() => _isReusable = false;

    /// <summary>Ends the use of the call by one of the three.</summary>
    /// <returns>True if that was the last one, and the call may serve again.</returns>
    public bool LetGo() => Interlocked.Decrement(ref _count) == 0 && _isReusable;

    /// <summary>Counts three users again. By the last one.</summary>
    public void Reuse() => _count = All;
}
