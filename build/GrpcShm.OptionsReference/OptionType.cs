using System.Reflection;

namespace GrpcShm.OptionsReference;

/// <summary>A type of options, and how a program sets them.</summary>
/// <param name="Type">The type.</param>
/// <param name="Instance">An instance with the defaults, of this type or of a derived one.</param>
/// <param name="Use">How to set the options, as lines of the page.</param>
/// <param name="Key">
/// The name of an option in the configuration; <see langword="null"/> for an option that only code can set.
/// </param>
internal sealed record OptionType(Type Type, object Instance, string Use, Func<PropertyInfo, string?> Key)
{
    /// <summary>The options that the type itself declares, in the order of their names.</summary>
    public IEnumerable<PropertyInfo> Options =>
        Type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .OrderBy(static option => option.Name, StringComparer.Ordinal);

    /// <summary>Whether any option of the type can be set by the configuration.</summary>
    public bool HasKeys => Options.Any(option => Key(option) is not null);
}
