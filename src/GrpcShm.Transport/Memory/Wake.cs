namespace GrpcShm.Transport.Memory;

/// <summary>
/// Whether the peer sleeps, or waits for space, and has to be rung: what is left to do after a step at a ring. A
/// wake-up that is dropped is lost for ever, since the peer's flag has been taken. So this is no <see cref="bool"/>
/// that is easily passed by: the build fails where a method that gives one is called and the value is not used (CA1806
/// in .editorconfig, whose list a test keeps whole).
/// </summary>
/// <param name="isNeeded">Whether it has to be rung.</param>
internal readonly ref struct Wake(bool isNeeded)
{
    /// <summary>Whether the peer has to be rung.</summary>
    public bool IsNeeded => isNeeded;
}
