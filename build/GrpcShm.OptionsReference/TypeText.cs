using System.Reflection;

namespace GrpcShm.OptionsReference;

/// <summary>The types of options, as C# writes them.</summary>
internal static class TypeText
{
    private static readonly NullabilityInfoContext Nullability = new();

    public static string Of(PropertyInfo option)
    {
        var text = Of(option.PropertyType);
        return !option.PropertyType.IsValueType && Nullability.Create(option).ReadState == NullabilityState.Nullable
            ? $"{text}?"
            : text;
    }

    private static string Of(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return $"{Of(underlying)}?";
        }

        if (type.IsGenericType)
        {
            var arguments = string.Join(", ", type.GetGenericArguments().Select(Of));
            return $"{type.Name.Split('`')[0]}<{arguments}>";
        }

        return Type.GetTypeCode(type) switch
        {
            _ when type.IsEnum => type.Name,
            TypeCode.Boolean => "bool",
            TypeCode.Int32 => "int",
            TypeCode.Int64 => "long",
            TypeCode.String => "string",
            _ => type.Name,
        };
    }
}
