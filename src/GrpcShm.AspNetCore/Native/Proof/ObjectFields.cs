using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>
/// Reads the fields of objects of ASP.NET Core. A field that is not there, or whose place two fields could take, is not
/// found, and whoever asks has to take that as "not known".
/// </summary>
internal static class ObjectFields
{
    /// <summary>All fields of an object, those of its base types as well.</summary>
    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2070",
        Justification = "A field that code uses is kept. What nobody uses cannot be a next middleware or an option.")]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "The same.")]
    public static IEnumerable<FieldInfo> Of(object instance)
    {
        const BindingFlags Own =
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        for (var type = instance.GetType(); type is not null; type = type.BaseType)
        {
            foreach (var field in type.GetFields(Own))
            {
                yield return field;
            }
        }
    }

    /// <summary>The values of all fields that are declared with exactly this type.</summary>
    public static List<TField?> ValuesOf<TField>(object instance) =>
    [
        .. Of(instance)
            .Where(static field => field.FieldType == typeof(TField))
            .Select(field => (TField?)field.GetValue(instance)),
    ];

    /// <summary>Finds the value of the one field of this type.</summary>
    /// <returns>False if there is none, or more than one.</returns>
    public static bool TryGetOnly<TField>(object instance, out TField? value)
    {
        var values = ValuesOf<TField>(instance);
        value = values.Count == 1 ? values[0] : default;
        return values.Count == 1;
    }

    /// <summary>Finds the value of a field by its name.</summary>
    /// <returns>False if there is none, or no object.</returns>
    public static bool TryGet(object? instance, string name, out object? value)
    {
        var field = instance is null ? null : Of(instance).FirstOrDefault(field => field.Name == name);
        value = field?.GetValue(instance);
        return field is not null;
    }
}
