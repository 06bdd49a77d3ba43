namespace GrpcShm.Transport;

/// <summary>Options that are one of several named values.</summary>
internal static class Choices
{
    /// <summary>Refuses a number that has no name, which a cast or a configuration file may bring.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value has no name.</exception>
    public static TEnum Check<TEnum>(TEnum value, string name)
        where TEnum : struct, Enum =>
        Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                name, value, $"{name} is one of {string.Join(", ", Enum.GetNames<TEnum>())}.");
}
