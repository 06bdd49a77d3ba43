namespace GrpcShm.Transport.Memory;

/// <summary>
/// Says after a step at a ring whether the peer sleeps, or waits for space, and has to be rung. A wake-up that is
/// dropped is lost for ever, since the peer's flag has been taken. So this is no <see cref="bool"/>, which is easily
/// overlooked: the build fails if a method that returns a <see cref="Wake"/> is called and the value is not used
/// (CA1806 in .editorconfig, whose list a test keeps complete).
/// </summary>
/// <param name="isNeeded">Whether the peer has to be rung.</param>
internal readonly ref struct Wake(bool isNeeded)
{
    /// <summary>Whether the peer has to be rung.</summary>
    public bool IsNeeded => isNeeded;
}
